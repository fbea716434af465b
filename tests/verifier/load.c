// Loads each program of /programs and prints what the kernel says of it. It runs as init of a machine that has nothing else.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <linux/bpf.h>
static int brief; static char logb[1<<22];
static int bpf(int c, union bpf_attr *a){ return syscall(__NR_bpf,c,a,sizeof *a);}
static unsigned char *btf; static size_t btflen;
static uint32_t u32(const unsigned char*p){uint32_t v; memcpy(&v,p,4); return v;}
static int kfunc_id(const char *name){
  if(!btf) return 0;
  uint32_t hl=u32(btf+4), to=u32(btf+8), tl=u32(btf+12), so=u32(btf+16);
  unsigned char*t=btf+hl+to,*e=t+tl; char*s=(char*)btf+hl+so; int id=1;
  while(t<e){ uint32_t n=u32(t),info=u32(t+4); int k=(info>>24)&31, vl=info&0xffff; size_t z=12;
    if(k==12 && !strcmp(s+n,name)) return id;
    switch(k){case 1:z+=4;break;case 3:z+=12;break;case 4:case 5:z+=12*vl;break;case 6:z+=8*vl;break;case 13:z+=8*vl;break;case 14:z+=4;break;case 15:z+=12*vl;break;case 17:z+=4;break;case 19:z+=12*vl;break;}
    t+=z; id++; }
  return 0;
}
// BTF that programs with callbacks or global functions, and a map with a lock, need.
static unsigned char bb[65536]; static uint32_t bt,bs; static char bstr[16384];
static void w(uint32_t v){ memcpy(bb+bt,&v,4); bt+=4; }
static uint32_t str(const char*s){ uint32_t at=bs; strcpy(bstr+bs,s); bs+=strlen(s)+1; return at; }
static void btf_begin(void){ bt=24; bs=1; bstr[0]=0; }
static int btf_end(void){ uint32_t tl=bt-24; unsigned char h[24]={0x9f,0xeb,1,0}; uint32_t v; v=24; memcpy(h+4,&v,4); v=0; memcpy(h+8,&v,4); memcpy(h+12,&tl,4); memcpy(h+16,&tl,4); memcpy(h+20,&bs,4);
  memcpy(bb,h,24); memcpy(bb+bt,bstr,bs); union bpf_attr a; memset(&a,0,sizeof a); a.btf=(uint64_t)bb; a.btf_size=bt+bs; static char l[65536]; a.btf_log_buf=(uint64_t)l; a.btf_log_size=sizeof l; a.btf_log_level=1;
  int fd=bpf(BPF_BTF_LOAD,&a); if(fd<0) printf("btf: %s %s\n",strerror(errno),l); return fd; }
// 1: int. 2: struct bpf_spin_lock { int val; }. 3: struct value { struct bpf_spin_lock lock; int n; }
static int lock_map(void){ btf_begin(); w(str("int")); w(1<<24); w(4); w(1<<24|32); w(str("bpf_spin_lock")); w(4<<24|1); w(4); w(str("val")); w(1); w(0);
  w(str("value")); w(4<<24|2); w(8); w(str("lock")); w(2); w(0); w(str("n")); w(1); w(32); int b=btf_end();
  union bpf_attr a; memset(&a,0,sizeof a); a.map_type=2; a.key_size=4; a.value_size=8; a.max_entries=4; a.btf_fd=b; a.btf_key_type_id=1; a.btf_value_type_id=3; strcpy(a.map_name,"lock"); return bpf(BPF_MAP_CREATE,&a); }
// 1: int. 2: struct bpf_timer { 16 bytes }. 3: struct value { struct bpf_timer timer; int n; int m; }
static int timer_map(void){ btf_begin(); w(str("int")); w(1<<24); w(4); w(1<<24|32); w(str("bpf_timer")); w(4<<24|4); w(16); w(str("a")); w(1); w(0); w(str("b")); w(1); w(32); w(str("c")); w(1); w(64); w(str("d")); w(1); w(96);
  w(str("value")); w(4<<24|3); w(24); w(str("timer")); w(2); w(0); w(str("n")); w(1); w(128); w(str("m")); w(1); w(160); int b=btf_end();
  union bpf_attr a; memset(&a,0,sizeof a); a.map_type=1; a.key_size=4; a.value_size=24; a.max_entries=4; a.btf_fd=b; a.btf_key_type_id=1; a.btf_value_type_id=3; strcpy(a.map_name,"timer"); return bpf(BPF_MAP_CREATE,&a); }
// One function for each start: 1 int, 2 pointer to void, 3 prototype, 4.. functions; 0 static, 1 global.
static int func_btf(int n,int global){ btf_begin(); w(str("int")); w(1<<24); w(4); w(1<<24|32); w(0); w(2<<24); w(0); w(0); w(13<<24|1); w(1); w(str("p")); w(2);
  for(int i=0;i<n;i++){ char s[16]; sprintf(s,"f%d",i); w(str(s)); w(12<<24|(i?global:1)); w(3);} return btf_end(); }
static struct bpf_func_info fi[64];
static int starts(unsigned char*in,uint32_t n,int*func){ uint32_t s[64]; int k=0; s[k++]=0; *func=0;
  for(uint32_t i=0;i<n;i++){ unsigned char*x=in+8*i; int32_t imm=(int32_t)u32(x+4); uint32_t t; if(x[0]==0x85&&x[1]>>4==1) t=i+1+imm; else if(x[0]==0x18&&x[1]>>4==4){ t=i+1+imm; *func=1; } else continue;
    int j=0; for(;j<k;j++) if(s[j]==t) break; if(j==k&&k<64) s[k++]=t; }
  for(int i=0;i<k;i++) for(int j=i+1;j<k;j++) if(s[j]<s[i]){uint32_t t=s[i];s[i]=s[j];s[j]=t;}
  for(int i=0;i<k;i++){ fi[i].insn_off=s[i]; fi[i].type_id=3+1+i; } return k; }
#include <linux/capability.h>
// Effective capabilities: all, or only CAP_BPF and CAP_NET_ADMIN.
static void caps(int few){ struct __user_cap_header_struct h={_LINUX_CAPABILITY_VERSION_3,0}; struct __user_cap_data_struct d[2]; memset(d,0,sizeof d); d[0].permitted=~0u; d[1].permitted=(1u<<(CAP_LAST_CAP-31))-1;
  if(few){ d[0].effective=1u<<CAP_NET_ADMIN; d[1].effective=1u<<(CAP_BPF-32);} else { d[0].effective=d[0].permitted; d[1].effective=d[1].permitted; } if(syscall(__NR_capset,&h,d)) printf("capset %s\n",strerror(errno)); }
int main(void){ brief=access("/brief",F_OK)==0;
  mkdir("/proc",0755); mkdir("/sys",0755); mount("proc","/proc","proc",0,0); mount("sysfs","/sys","sysfs",0,0);
  int f=open("/sys/kernel/btf/vmlinux",O_RDONLY); if(f>=0){ btf=malloc(64<<20); ssize_t n; while((n=read(f,btf+btflen,1<<20))>0) btflen+=n; }
  printf("BTF %zu\n",btflen);
  // maps
  struct {int type,ks,vs,n,fl;} md[]={ {2,4,16,4,0},{1,4,8,16,0},{27,0,0,4096,0},{3,4,4,4,0},{14,4,4,4,0},{2,4,16,1,BPF_F_RDONLY_PROG},{4,4,4,4,0},{6,4,8,4,0} };
  static const char*names[8]={"array","hash","ring","progs","dev","rodata","perf","percpu"};
  int maps[11]; maps[8]=lock_map(); if(maps[8]<0) printf("lock map: %s\n",strerror(errno)); maps[10]=timer_map(); if(maps[10]<0) printf("timer map: %s\n",strerror(errno));
  for(int i=0;i<8;i++){ union bpf_attr a; memset(&a,0,sizeof a); a.map_type=md[i].type;a.key_size=md[i].ks;a.value_size=md[i].vs;a.max_entries=md[i].n;a.map_flags=md[i].fl; strcpy(a.map_name,names[i]); maps[i]=bpf(BPF_MAP_CREATE,&a); if(maps[i]<0) printf("map %d: %s\n",i,strerror(errno)); }
  { // array_of_maps, its values are like `array`
    union bpf_attr a; memset(&a,0,sizeof a); a.map_type=12; a.key_size=4; a.value_size=4; a.max_entries=2; a.inner_map_fd=maps[0]; strcpy(a.map_name,"outer"); maps[9]=bpf(BPF_MAP_CREATE,&a); if(maps[9]<0) printf("outer map: %s\n",strerror(errno)); }
  { // rodata
    union bpf_attr a; uint32_t k=0; unsigned char v[16]="hello %d\n"; memset(&a,0,sizeof a); a.map_fd=maps[5]; a.key=(uint64_t)&k; a.value=(uint64_t)v; bpf(BPF_MAP_UPDATE_ELEM,&a); memset(&a,0,sizeof a); a.map_fd=maps[5]; bpf(22,&a); }
  f=open("/programs",O_RDONLY); struct stat st; fstat(f,&st); unsigned char*p=malloc(st.st_size); read(f,p,st.st_size); unsigned char*e=p+st.st_size;
  // record: u32 type, u32 attach, u32 ninsn, u32 nrel, char name[64], rel[]{u32 slot,u32 kind(1 map,2 mapval,3 kfunc), u32 arg, char name[48]}, insns
  while(p<e){ uint32_t type=u32(p),at=u32(p+4),n=u32(p+8),r=u32(p+12); char*name=(char*)p+16; p+=80; unsigned char*rel=p; p+=60*r; unsigned char*in=p; p+=8*n;
    for(uint32_t i=0;i<r;i++,rel+=60){ unsigned char*x=in+8*u32(rel); uint32_t k=u32(rel+4),a=u32(rel+8);
      if(k==1){ x[1]=(x[1]&15)|(1<<4); memcpy(x+4,&maps[a&255],4);} else if(k==2){ x[1]=(x[1]&15)|(2<<4); memcpy(x+4,&maps[a&255],4); uint32_t o=a>>8; memcpy(x+12,&o,4);} else { int id=kfunc_id((char*)rel+12); x[1]=(x[1]&15)|(2<<4); memcpy(x+4,&id,4); if(!id) printf("no kfunc %s\n",rel+12);} }
    union bpf_attr a; memset(&a,0,sizeof a); a.prog_type=type; a.expected_attach_type=at; a.insn_cnt=n; a.insns=(uint64_t)in; a.license=(uint64_t)"GPL"; a.log_level=1; a.log_buf=(uint64_t)logb; a.log_size=sizeof logb; logb[0]=0;
    int fn,k=starts(in,n,&fn),gl=!strncmp(name,"global ",7),bf=-1; if(fn||gl){ bf=func_btf(k,gl); a.prog_btf_fd=bf; a.func_info_rec_size=8; a.func_info=(uint64_t)fi; a.func_info_cnt=k; }
    int weak=!strncmp(name,"weak ",5); if(weak){ caps(1); }
    int fd=bpf(BPF_PROG_LOAD,&a); int er=errno; if(bf>=0) close(bf); if(weak) caps(0); 
    if(brief){ printf("%s %c\n",name,fd<0?82:65); if(fd>=0) close(fd); continue; } if(fd<0) printf("@@ %s refused %d\n",name,er); else { printf("@@ %s accepted\n",name); close(fd);} 
    size_t L=strlen(logb); size_t from=L>1500?L-1500:0; printf("%s\n@@end\n",logb+from); fflush(stdout);
  }
  printf("ALLDONE\n"); fflush(stdout); sync(); reboot(RB_POWER_OFF); for(;;) pause();
}
